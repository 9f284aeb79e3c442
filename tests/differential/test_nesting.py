"""How deep access tables and classes nest, asked of the live smtpd: a hundred, then 451."""

import pytest

from maysend.cases import Case, Turn
from maysend.cases.dialogue import ask_policy
from maysend.policy import Policy
from tests.differential.live_postfix import LivePostfix
from tests.live_dialogue import ask_postfix

TURNS = (
    Turn("EHLO client.example"),
    Turn("MAIL FROM:<stranger@example.org>"),
    Turn("RCPT TO:<bob@example.com>"),
)
LENGTHS = (50, 98, 99, 100, 101, 102, 120)


def tables(length: int, last: str) -> tuple[dict[str, str], dict[str, str]]:
    """So many tables, each of which answers with a check of the next."""
    files = {
        f"t{number}": f"example.org check_sender_access texthash:$config_directory/t{number + 1}\n"
        for number in range(1, length)
    }
    files[f"t{length}"] = f"example.org {last}\n"
    return {"smtpd_sender_restrictions": "check_sender_access texthash:$config_directory/t1"}, files


def classes(length: int, last: str) -> tuple[dict[str, str], dict[str, str]]:
    """So many classes, each of which is nothing but the next."""
    names = [f"class{number}" for number in range(1, length + 1)]
    main_cf = dict(zip(names, [*names[1:], last], strict=True))
    lists = {"smtpd_restriction_classes": " ".join(names), "smtpd_sender_restrictions": names[0]}
    return {**lists, **main_cf}, {}


def classes_in_tables(length: int, last: str) -> tuple[dict[str, str], dict[str, str]]:
    """Classes and tables by turns."""
    names = [f"class{number}" for number in range(1, length // 2 + 1)]
    main_cf = {
        name: f"check_sender_access inline:{{example.org={after}}}"
        for name, after in zip(names, [*names[1:], last], strict=True)
    }
    lists = {"smtpd_restriction_classes": " ".join(names), "smtpd_sender_restrictions": names[0]}
    return {**lists, **main_cf}, {}


SHAPES = {"tables": tables, "classes": classes, "classes in tables": classes_in_tables}


@pytest.mark.needs_postfix
@pytest.mark.parametrize("shape", SHAPES)
def test_nesting_ends_where_it_ends_in_smtpd(shape: str) -> None:
    replies = {}
    with LivePostfix() as postfix:
        for length in LENGTHS:
            for last in ("REJECT", "OK") if shape == "tables" else ("reject", "permit"):
                main_cf, files = SHAPES[shape](length, last)
                # $config_directory is expanded in main.cf only, not in a table's answers.
                at = str(postfix.directory)
                files = {
                    name: text.replace("$config_directory", at) for name, text in files.items()
                }
                case = Case(name=shape, main_cf=main_cf, files=files, turns=TURNS)
                postfix.adopt(case)
                live = ask_postfix(postfix, case)[-1].reply
                ours = ask_policy(Policy.load(postfix.directory), case)[-1].reply
                replies[length, last] = (ours, live)
    assert {key: pair for key, pair in replies.items() if pair[0] != pair[1]} == {}
