"""# unused-class: a restriction class that nothing uses

## What it does
Reports names in `smtpd_restriction_classes` that stand in no restriction list, no other class and
no table that can be listed.

## Why it is bad
A protection that was meant to be there is not; often the name is misspelled in the table.

## Example
    smtpd_restriction_classes = insiders_only
    insiders_only = permit_mynetworks, reject
    # and nothing says insiders_only

## Use instead
Name it in an access table, `all@example.com insiders_only`, or delete it.

## Limits
Where the policy has an access table that can't be listed (patterns, SQL, LDAP), the finding is
only possible.

## Source
RESTRICTION_CLASS_README.
"""

from collections.abc import Iterator

from maysend.lint.configuration import Smtpd
from maysend.lint.contents import answers
from maysend.lint.finding import Problem
from maysend.lint.table_uses import table_named_in
from maysend.maincf import tokens

PARAMETER = "smtpd_restriction_classes"


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """The classes that are defined and never named."""
    if smtpd.policy is None or not smtpd.classes:
        return
    named, all_listed = _named(smtpd)
    traced = smtpd.parameters.traced(PARAMETER)
    for token in tokens.split(traced.text):
        if token.text not in named:
            yield Problem(
                place=traced.place(token.start),
                written=token.text,
                message=f"the restriction class {token.text} is defined, and nothing names it",
                possible=not all_listed,
            )


def _named(smtpd: Smtpd) -> tuple[set[str], bool]:
    """All words of lists and of tables' answers; whether every table could be listed."""
    assert smtpd.policy is not None
    words: set[str] = set()
    said: set[str] = set()  # tables say the same few things thousands of times
    all_listed = True
    for _, node in smtpd.nodes():
        words.add(node.written)
        spec = table_named_in(node)
        if spec:
            listed = answers(smtpd.policy.site.table(spec))
            all_listed = all_listed and listed is not None
            said.update(listed or ())
    for answer in said:
        words.update(token.text for token in tokens.split(answer))
    return words, all_listed
