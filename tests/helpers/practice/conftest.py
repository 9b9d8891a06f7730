from ..fresh_desk import fresh  # noqa: F401
