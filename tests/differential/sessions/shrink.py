"""Make a disagreement small: take away what it does not need, as long as it still differs."""

import re
from collections.abc import Callable, Iterator

import msgspec

from maysend.cases import Case
from maysend.maincf import tokens
from maysend.policy import Policy
from tests.differential.live_postfix import LivePostfix
from tests.differential.sessions.compare import (
    REFUSES_TO_START,
    Session,
    ask_both,
    compile_policy,
)

ATTEMPTS = 400
"""Each takes about 20 ms."""
BRACED = re.compile(r",?\s*\{[^{}]*\}")


def shrink(
    postfix: LivePostfix,
    session: Session,
    compile: Callable[[LivePostfix], Policy | None] = compile_policy,
) -> Session:
    """The smallest session found that still differs. `compile` gives our policy of a Postfix."""
    smallest = session
    attempts = ATTEMPTS
    progress = True
    while progress and attempts > 0:
        progress = False
        for case in _smaller(smallest.case):
            attempts -= 1
            if attempts <= 0:
                break
            attempt = _ask(postfix, case, compile)
            if attempt.difference is not None and _starts(attempt) == _starts(session):
                smallest = attempt
                progress = True
                break
    return smallest


def _ask(
    postfix: LivePostfix, case: Case, compile: Callable[[LivePostfix], Policy | None]
) -> Session:
    postfix.adopt(case)
    live, ours = ask_both(postfix, compile(postfix), case)
    return Session(case, [], live, ours)


def _smaller(case: Case) -> Iterator[Case]:
    """Cases with one thing less, the big things first."""
    yield from _without_turns(case)
    names = list(case.main_cf)
    for size in (8, 4, 2):
        for start in range(0, len(names) - size, size):
            fewer = {*names[:start], *names[start + size :]}
            yield _replaced(case, {key: case.main_cf[key] for key in names if key in fewer})
    for name in case.main_cf:
        yield _replaced(case, {key: case.main_cf[key] for key in case.main_cf if key != name})
    for key, value in (("login", ""), ("client_name", "unknown"), ("reverse_client_name", "")):
        if getattr(case, key) != value:
            yield msgspec.structs.replace(case, **{key: value})
    for name, value in case.main_cf.items():
        for shorter in _shorter_lists(value):
            yield _replaced(case, {**case.main_cf, name: shorter})
    for name, text in case.files.items():
        for rest in _fewer_lines(text):
            yield msgspec.structs.replace(case, files={**case.files, name: rest})
    for rest in _fewer_lines(case.dns):
        yield msgspec.structs.replace(case, dns=rest)


def _fewer_lines(text: str) -> Iterator[str]:
    """The text without a half, a quarter, … of its lines, down to one."""
    lines = text.splitlines(keepends=True)
    size = max(len(lines) // 2, 1)
    while lines:
        for start in range(0, len(lines), size):
            yield "".join(lines[:start] + lines[start + size :])
        if size == 1:
            return
        size //= 2


def _without_turns(case: Case) -> Iterator[Case]:
    turns = case.turns
    for length in (4, 2, 1):
        for start in range(len(turns) - length, -1, -1):
            yield msgspec.structs.replace(case, turns=turns[:start] + turns[start + length :])


def _replaced(case: Case, main_cf: dict[str, str]) -> Case:
    """The case with that main.cf and only the files that it mentions."""
    mentioned = " ".join(main_cf.values())
    files = {
        name: text
        for name, text in case.files.items()
        if re.search(rf"/{re.escape(name)}\b", mentioned)
    }
    return msgspec.structs.replace(case, main_cf=main_cf, files=files)


def _shorter_lists(value: str) -> Iterator[str]:
    words = tokens.split(value)
    for length in (2, 1):
        if len(words) <= length:
            continue
        for start in range(len(words) - length + 1):
            kept = [word.text for word in words[:start] + words[start + length :]]
            yield " ".join(kept)
    for match in BRACED.finditer(value):
        yield value[: match.start()] + value[match.end() :]


def _starts(session: Session) -> bool:
    """A smaller case that smtpd refuses to start with is another disagreement."""
    return all(answer.reply != REFUSES_TO_START for answer in session.live)
