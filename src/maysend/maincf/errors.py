"""What is wrong in main.cf or master.cf, and where it is written."""

from maysend.maincf.place import Place


class MainCfError(Exception):
    """A configuration that Postfix would refuse too; str() is "file:line: what was expected"."""

    def __init__(self, message: str, place: Place) -> None:
        super().__init__(f"{place}: {message}")
        self.message = message
        self.place = place
