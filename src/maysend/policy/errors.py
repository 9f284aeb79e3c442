"""What keeps a policy from being used at all."""

from maysend.maincf import Place


class PolicyError(Exception):
    """smtpd would refuse to start with this configuration; says where and why."""

    def __init__(self, message: str, place: Place | None = None) -> None:
        super().__init__(f"{place}: {message}" if place is not None else message)
        self.message = message
        self.place = place
