"""The cases of a check as what a learner would give to `catch`: inputs, and tests where one call shows nothing."""

from helpers.running import bench


def inputs(paper):
    """Yield what to give to `catch` for each case that a plain call can put."""
    for case in paper.cases:
        if case.from_file or case.method not in (None, "forward"):
            continue
        args, kwargs = live(case.args), live(dict(case.kwargs))
        if case.init is None:
            yield args, kwargs
        else:
            yield ((dict(case.init.kwargs) or case.init.args, *args), kwargs)


def tests(paper):
    """Yield a test for the cases of each property: it calls them in order and returns all that came back, or whether
    what the exercise demands of them together holds."""
    relations = {relation.property: relation for relation in paper.exercise.relations}
    for name in dict.fromkeys(case.property for case in paper.cases):
        cases = [case for case in paper.cases if case.property == name and not case.from_file and not case.raises]
        if cases and name in paper.exercise.compare:
            hook = paper.exercise.compare[name]
            yield lambda version, cases=cases, hook=hook: all(
                hook(case, plain(called(version, case)), right(paper, case)) is None for case in cases
            )
        if cases and name in relations:
            yield lambda version, cases=cases, relation=relations[name]: relation.test(together(version, cases)) is None
        elif cases:
            yield lambda version, cases=cases: [called(version, case) for case in cases]


def right(paper, case):
    """What the judge compares a case's result with."""
    return next(answer["value"] for one, answer in zip(paper.cases, paper.expected) if one is case)


def together(version, cases):
    """The results of the cases that a relation is about, all from one object where they make equal ones."""
    made = {}
    return {case.label: plain(called(version, case, made)) for case in cases if case.label}


def called(version, case, made=None):
    """Call a version as the case says, on one object that answered earlier calls first."""
    args, kwargs = live(case.args), live(dict(case.kwargs))
    function, made = version, {} if made is None else made
    if case.init is not None:
        key = repr((case.init.args, case.init.kwargs))
        function = made[key] = made.get(key) or version(*case.init.args, **case.init.kwargs)
        function.train(case.init.training)
        for earlier in case.init.earlier:
            function(*live(earlier))
    if case.method is not None:
        function = getattr(function, case.method)
    if not case.chunks:
        for _ in range(case.times):
            result = function(*args, **kwargs)
        return result
    from helpers.running import chunks

    return chunks.read(function, case.chunks, *args, **kwargs)


def live(value):
    """An argument as a learner has it: arrays, tensors, objects."""
    built = {}
    return bench.build(value, "", built, bench.Bench(live))


def plain(value):
    from helpers.running.values import plain

    return plain(value)
