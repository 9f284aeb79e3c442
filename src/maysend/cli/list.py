"""maysend list: protected recipients, and who may write to each."""

from typing import TYPE_CHECKING

import click

from maysend.cli.completion import complete_lists
from maysend.cli.directory_options import (
    DirectoryGroup,
    confirm_loss,
    on_directory,
    print_json,
    print_result,
    print_rows,
    refuse,
    time_text,
)

if TYPE_CHECKING:
    from maysend.directory import Directory
    from maysend.directory.lists import MailList

_WHO = "LOGIN, @DOMAIN, members, users or everyone"


@click.group("list", cls=DirectoryGroup)
def mail_list() -> None:
    """Lists: recipients that only some may write to.

    A list protects its address, its +extensions, and every alias that leads to it. Without a poster
    it is closed to everybody. A poster is the LOGIN of an account, @DOMAIN for every login of that
    domain, members (whom the list's own alias delivers to), users (everybody who has logged in), or
    everyone.

    \b
    maysend list add all@example.com --poster boss@example.com --member bob@example.com
    maysend list update all@example.com --add-poster members
    maysend list show all@example.com
    maysend list remove all@example.com
    """


_list_argument = click.argument("address", metavar="LIST", shell_complete=complete_lists)


@mail_list.command("add")
@click.argument("address", metavar="LIST")
@click.option("--poster", "posters", multiple=True, metavar="WHO", help=f"May write to it: {_WHO}.")
@click.option(
    "--member", "members", multiple=True, metavar="TARGET", help="Gets its mail: as alias add."
)
@click.option("--note", default="", help="What it is for, for people to read.")
@on_directory
def add(
    opened: "Directory",
    address: str,
    posters: tuple[str, ...],
    members: tuple[str, ...],
    note: str,
    output_format: str,
) -> None:
    """Protect LIST: only its posters may write to it, and nobody where there are none.

    Members are targets of an alias of that name; they get its mail and can't send as it.
    """
    with opened.together():
        if members:
            opened.aliases.add(address, members, send=False, checked=True)
        made = opened.lists.add(address, posters, note=note)
    print_result(output_format, _sentence(made), _as_json(opened, made))


@mail_list.command("list")
@on_directory
def list_lists(opened: "Directory", output_format: str) -> None:
    """List every list and who may write to it."""
    lists = opened.lists.list()
    if output_format == "json":
        print_json([_as_json(opened, each) for each in lists])
        return
    print_rows(
        ("LIST", "POSTERS", "NOTE"),
        [(each.address, _posters(each), each.note) for each in lists],
        "no lists yet: maysend list add LIST --poster WHO",
    )


@mail_list.command("show")
@_list_argument
@on_directory
def show(opened: "Directory", address: str, output_format: str) -> None:
    """Show who may write to LIST, and who gets its mail."""
    found = opened.lists.get(address)
    members = _members(opened, found)
    lines = [_sentence(found), f"  members  {', '.join(members) or 'no alias of that name'}"]
    lines.extend([f"  note     {found.note}"] if found.note else [])
    print_result(output_format, "\n".join(lines), _as_json(opened, found))


@mail_list.command("update")
@_list_argument
@click.option("--add-poster", multiple=True, metavar="WHO", help=f"May write to it: {_WHO}.")
@click.option("--remove-poster", multiple=True, metavar="WHO", help="May no longer.")
@click.option("--add-member", multiple=True, metavar="TARGET", help="Gets its mail.")
@click.option("--remove-member", multiple=True, metavar="TARGET", help="Gets it no longer.")
@click.option("--note", help="What it is for, for people to read.")
@on_directory
def change(
    opened: "Directory",
    address: str,
    add_poster: tuple[str, ...],
    remove_poster: tuple[str, ...],
    add_member: tuple[str, ...],
    remove_member: tuple[str, ...],
    note: str | None,
    output_format: str,
) -> None:
    """Change who may write to LIST and who gets its mail: only what is given."""
    if not (add_poster or remove_poster or add_member or remove_member or note is not None):
        refuse(
            "nothing to change: give --add-poster, --remove-poster, --add-member, --remove-member "
            "or --note"
        )
    with opened.together():
        changed = opened.lists.update(address, add=add_poster, remove=remove_poster, note=note)
        if add_member:
            opened.aliases.add(address, add_member, send=False, checked=True)
        if remove_member:
            opened.aliases.remove(address, remove_member)
    print_result(output_format, _sentence(changed), _as_json(opened, changed))


@mail_list.command("remove")
@_list_argument
@click.option("--yes", is_flag=True, help="Don't ask.")
@on_directory
def remove(opened: "Directory", address: str, yes: bool, output_format: str) -> None:
    """Stop protecting LIST: everybody may write to it. Its alias stays."""
    gone = opened.lists.get(address)
    confirm_loss(
        f"the protection of {gone.address}", [f"  posters: {', '.join(gone.posters)}"], yes
    )
    gone = opened.lists.remove(address)
    text = f"removed list {gone.address}: everybody may write to it now"
    print_result(output_format, text, _as_json(opened, gone))


def _sentence(each: "MailList") -> str:
    if each.posters:
        return f"{each.address} is open to: {', '.join(each.posters)}"
    return (
        f"{each.address} is closed: nobody may write to it, its members neither. To open it:\n"
        f"  maysend list update {each.address} --add-poster WHO"
    )


def _posters(each: "MailList") -> str:
    return ", ".join(each.posters) or "(closed to everybody)"


def _members(opened: "Directory", each: "MailList") -> list[str]:
    with opened.reader() as reader:
        return [row.target for row in reader.aliases([each.address]).get(each.address, ())]


def _as_json(opened: "Directory", each: "MailList") -> dict[str, object]:
    return {
        "list": each.address,
        "posters": each.posters,
        "members": _members(opened, each),
        "note": each.note,
        "created": time_text(each.created),
    }
