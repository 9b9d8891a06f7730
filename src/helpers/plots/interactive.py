"""Pictures with controls: sliders, menus and text boxes that redraw a figure in place.

Where there are no widgets the figure stands alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from helpers import language

from . import strips
from .core import CARD, _image, figure, size_of, titles, told, whole

if TYPE_CHECKING:
    from ipywidgets import Widget
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Control = str | range | Sequence[Any] | Mapping[str, Any]
_LONGEST_ERROR = 200
# ipywidgets draws the arrow of a menu in black, which a dark page swallows; this grey is seen on both.
_ARROW = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 20 20'%3E"
    "%3Cpath d='M5 8l5 5 5-5' fill='none' stroke='%23888' stroke-width='2.5'/%3E%3C/svg%3E"
)
_STYLE = f'<style>.attention-controls.attention-controls select{{background-image:url("{_ARROW}")}}</style>'

_still = False


def as_strips() -> None:
    """Show pictures with controls from now on as a page without a kernel can: with some pictures for each control."""
    global _still
    _still = True


@figure
def explore(
    draw: Callable[..., Figure | Axes | str],
    alt: str | Callable[..., str] | None = None,
    start: Mapping[str, Any] | None = None,
    **controls: Control,
) -> None:
    """Show a figure with controls, and as a static picture where there are no widgets.

    The picture is an output of its own below the controls. So it stays when the notebook is opened without a kernel,
    exported or printed. What goes wrong while drawing is told in its place, in a sentence.

    Args:
        draw: called with one value for each control; returns a figure made by `grid`, always of one size, or a sentence
            to show in its place.
        alt: None takes the text that each drawn figure brings along (`describe`). Else what there is to see whatever
            the controls say (the figure's titles and the controls' values are added), or a function of the controls
            that returns the whole text.
        start: the first picture's value of a control, where that is not the first in its list.
        controls: for each argument of `draw` its values. A range or a list of numbers makes a slider, a list of strings
            or a mapping (name → value) a menu, a string a text box that begins with it.
    """
    from IPython.display import display

    chosen = {name: _values(control)[0] for name, control in controls.items()} | dict(start or {})
    painter = _Painter(draw, alt, controls)
    if _still:
        options = {
            name: [(str(_shown(control, value)), value) for value in _values(control)]
            for name, control in controls.items()
            if not isinstance(control, str)
        }
        display(strips.strip(painter.paint, options, chosen), raw=True)
        return
    picture = painter.paint(chosen)
    widgets = _widgets(controls, chosen)
    if not widgets:
        display(picture, raw=True)
        return
    display(_panel(widgets), raw=True)
    shown = display(picture, raw=True, display_id=True)

    def redraw(_: Any) -> None:
        values = {name: _meant(controls[name], widget.value) for name, widget in widgets.items()}
        shown.update(painter.paint(chosen | values), raw=True)

    for widget in widgets.values():
        widget.observe(redraw, "value")


class _Painter:
    """Makes the picture of some values, or the sentence in its place, as large as the last picture."""

    def __init__(
        self,
        draw: Callable[..., Figure | Axes | str],
        alt: str | Callable[..., str] | None,
        controls: Mapping[str, Control],
    ) -> None:
        self._draw, self._alt, self._controls, self._size = draw, alt, controls, (640, 240)

    def paint(self, chosen: Mapping[str, Any]) -> dict[str, str]:
        """Return what is displayed, by its type."""
        values = ", ".join(f"{name} = {_shown(self._controls[name], value)}" for name, value in chosen.items())
        try:
            drawn = self._draw(**chosen)
            if isinstance(drawn, str):
                return self._sentence("", drawn)
            drawn = whole(drawn)
            if self._alt is None:
                alt = told(drawn)
            else:
                alt = self._alt(**chosen) if callable(self._alt) else f"{self._alt} Here {values}. {titles(drawn)}"
            image = _image(drawn, alt)
        except NotImplementedError:
            return self._sentence("○ ", "This picture comes as soon as the exercise that it shows is answered.")
        except Exception as error:
            return self._sentence(
                "✗ ", f"There is no picture for {values}: {type(error).__name__}: {error}"[:_LONGEST_ERROR]
            )
        self._size = size_of(drawn)
        return {"text/html": image, "text/plain": f"[figure: {language.told(alt)}]"}

    def _sentence(self, mark: str, sentence: str) -> dict[str, str]:
        sentence = language.told(sentence)
        width, height = (pixels + 2 * CARD for pixels in self._size)
        box = f"box-sizing:border-box;max-width:100%;width:{width}px;aspect-ratio:{width}/{height}"
        style = f"{box};padding:1em;border:1px dashed #888888"
        return {
            "text/html": f'<div role="status" style="{style}">{escape(sentence)}</div>',
            "text/plain": mark + sentence,
        }


def _values(control: Control) -> list[Any]:
    return (
        [control] if isinstance(control, str) else list(control.values() if isinstance(control, Mapping) else control)
    )


def _shown(control: Control, value: Any) -> Any:
    """A value as its control shows it: a menu has names."""
    return next(name for name, own in control.items() if own == value) if isinstance(control, Mapping) else value


def _meant(control: Control, shown: Any) -> Any:
    """The value that a control shows: the opposite of `_shown`."""
    return control[shown] if isinstance(control, Mapping) else shown


def _widgets(controls: Mapping[str, Control], chosen: Mapping[str, Any]) -> dict[str, Widget]:
    """The control of each argument; none where no kernel or no ipywidgets can serve them."""
    try:
        import ipywidgets
        from IPython import get_ipython
    except ImportError:
        return {}
    if not hasattr(get_ipython(), "kernel"):
        return {}
    labels = {"description_width": f"{0.6 * max(len(language.told(name)) for name in controls) + 1:.1f}em"}
    widgets: dict[str, Widget] = {}
    for name, control in controls.items():
        # A menu holds the names alone: to ipywidgets a value None would mean that nothing is chosen.
        common = {
            "value": _shown(control, chosen[name]),
            "description": language.told(name),
            "style": labels,
            "layout": {"width": "40em" if isinstance(control, str) else "26em", "max_width": "95%"},
        }
        if isinstance(control, str):
            widgets[name] = ipywidgets.Text(
                placeholder=language.told("type, then press Enter"), continuous_update=False, **common
            )
        elif len(control) < 2:
            continue
        elif isinstance(control, range):
            widgets[name] = ipywidgets.IntSlider(
                min=control[0], max=control[-1], step=control.step, continuous_update=False, **common
            )
        elif isinstance(control, Mapping) or isinstance(control[0], str):
            widgets[name] = ipywidgets.Dropdown(options=[(language.told(str(one)), one) for one in control], **common)
        else:
            widgets[name] = ipywidgets.SelectionSlider(options=list(control), continuous_update=False, **common)
    return widgets


def _panel(widgets: Mapping[str, Widget]) -> dict[str, Any]:
    """The controls as a display; a page without widgets shows a sentence instead."""
    import ipywidgets

    # A style applies though its widget takes no room.
    style = ipywidgets.HTML(_STYLE, layout={"display": "none"})
    box = ipywidgets.VBox([*widgets.values(), style]).add_class("attention-controls")
    bundle = box._repr_mimebundle_()
    view = {kind: content for kind, content in bundle.items() if "widget-view" in kind}
    sentence = language.told(f"In JupyterLab, run this cell and change {', '.join(widgets)}.")
    return {**view, "text/html": f"<em>{escape(sentence)}</em>", "text/plain": sentence}
