"""The words of an SMTP command: where a path ends and its parameters begin (RFC 5321 4.1.1).

As the tokenizer of smtpd(8): white space separates words, but not inside of `<>`, which nest, and
of quotes. Comments and address literals mean nothing to it.
"""

import re

_SPACE = re.compile(r"[ \t\n\v\f\r]*+")
_UNTIL_PAIR_OR_SPACE = re.compile(r'(?:[^\\<"\s]|\\.|\\\Z)*+', re.DOTALL | re.ASCII)
_QUOTED = re.compile(r'"(?:[^\\"]|\\.)*+"', re.DOTALL)
_BRACKET = re.compile(r'[<>"]|\\.', re.DOTALL)


def split_words(arguments: str) -> list[str]:
    """Split what follows `MAIL FROM:` or `RCPT TO:`: the path, then its parameters.

    Never fails: what is not closed reaches to the end, and `is_closed` tells so.
    """
    words: list[str] = []
    position = _after_space(arguments, 0)
    while position < len(arguments):
        end, _ = _end_of_word(arguments, position)
        words.append(arguments[position:end])
        position = _after_space(arguments, end)
    return words


def is_closed(word: str) -> bool:
    """Whether all brackets and quotes of a word are closed; smtpd refuses a path that isn't."""
    position = 0
    while position < len(word):
        position, closed = _end_of_word(word, position)
        if not closed:
            return False
        position = _after_space(word, position)
    return True


def _after_space(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _end_of_word(text: str, position: int) -> tuple[int, bool]:
    """Return where the word ends that begins at `position`, and whether its pairs are closed."""
    while True:
        found = _UNTIL_PAIR_OR_SPACE.match(text, position)
        position = found.end() if found else position
        if text[position : position + 1] not in ("<", '"'):
            return position, True
        end = _end_of_pair(text, position)
        if end is None:
            return len(text), False
        position = end


def _end_of_pair(text: str, position: int) -> int | None:
    """Return what follows the pair that opens at `position`, None where it is not closed."""
    if text[position] == '"':
        quoted = _QUOTED.match(text, position)
        return quoted.end() if quoted else None
    depth = 0
    while found := _BRACKET.search(text, position):
        position = found.end()
        if found[0] == '"':
            quoted = _QUOTED.match(text, found.start())
            if quoted is None:
                return None
            position = quoted.end()
        elif found[0] == "<":
            depth += 1
        elif found[0] == ">":
            depth -= 1
            if depth == 0:
                return position
    return None
