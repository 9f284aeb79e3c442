"""`maysend init`: a commented maysend.toml, and an empty directory beside it."""

from pathlib import Path

import click

from maysend.cli.configuration import fail

EX_CANTCREAT = 73


@click.command()
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
@click.option(
    "--postfix",
    "beside_postfix",
    is_flag=True,
    help="Have the sockets where this host's Postfix can reach them.",
)
@click.option(
    "--policy", "with_policy", is_flag=True, help="Also write policy/main.cf, a copy to change."
)
def init(folder: Path, beside_postfix: bool, with_policy: bool) -> None:
    """Write a commented maysend.toml into DIR, and create the directory of accounts.

    DIR is the working directory unless given, and is made where it is missing. Nothing that is
    there already is changed. The sockets are in DIR too; with --postfix they are in private/ of
    Postfix's queue directory, where a chrooted smtpd finds them, and its group may connect.

    With --policy also the policy that comes with maysend, into policy/main.cf. A listener that says
    postfix = "policy" in maysend.toml goes by that one.

    Exit status: 0; 73 where it can't be written, or is there already.
    """
    from maysend.directory import Directory, DirectoryError
    from maysend.directory.location import CONFIG_NAME

    if beside_postfix:
        text = template_beside_postfix(queue_directory())
    else:
        text = template(folder.absolute())
    file = folder / CONFIG_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with file.open("x") as written:
            written.write(text)
        if with_policy:
            write_policy(folder / "policy")
    except FileExistsError as problem:
        there = f"{problem.filename} is there already"
        fail("init", f"{there}: edit it, or name another directory", EX_CANTCREAT)
    except OSError as problem:
        fail("init", f"{file}: {problem.strerror}", EX_CANTCREAT)
    try:
        Directory.open(folder / "maysend.db", actor="init").close()
    except DirectoryError as problem:
        fail("init", str(problem), EX_CANTCREAT)
    here = folder == Path(".")
    there = "" if here else f"  cd {folder}\n"
    click.echo(
        f"Wrote {CONFIG_NAME} and an empty directory, maysend.db, "
        f"{'here' if here else f'in {folder}'}. What next:\n"
        f"{there}"
        "  maysend account add bob@example.com\n"
        "  maysend serve              # answers Postfix on the sockets in maysend.toml\n"
        "  maysend postfix            # prints the lines that make Postfix ask"
    )


def write_policy(folder: Path) -> None:
    """The policy that comes with maysend, as a Postfix configuration directory."""
    from importlib.resources import files

    folder.mkdir(exist_ok=True)
    with (folder / "main.cf").open("xb") as written:
        written.write(files("maysend.policy").joinpath("builtin", "main.cf").read_bytes())


def template(folder: Path) -> str:
    """The maysend.toml that comes with maysend, with its sockets in `folder`."""
    from importlib.resources import files

    text = files("maysend.servers.configuration").joinpath("maysend.toml").read_text("utf-8")
    return text.replace("@HERE@", str(folder))


def template_beside_postfix(queue: Path) -> str:
    """The same, with its sockets in a Postfix's queue directory, for its group."""
    text = template(queue / "private")
    for kind in ("policy", "socketmap"):
        # Other daemons' sockets are in private/ too.
        text = text.replace(f"{queue}/private/{kind}", f"{queue}/private/maysend-{kind}")
    return text.replace('#owner = "root"\n#group = "postfix"', '#owner = "root"\ngroup = "postfix"')


def queue_directory() -> Path:
    """That of this host's Postfix; ends the command where there is none."""
    from maysend.maincf import MainCfError, Parameters

    try:
        return Path(Parameters.load("/etc/postfix")["queue_directory"])
    except MainCfError as problem:
        fail("init", f"--postfix: there is no Postfix to be beside: {problem}", EX_CANTCREAT)
