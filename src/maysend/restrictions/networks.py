"""Permission by the client's address: permit_mynetworks, permit_inet_interfaces (postconf(5))."""

from maysend.restrictions.evaluation import Check, Evaluation
from maysend.restrictions.outcome import Outcome
from maysend.restrictions.outcomes import DUNNO, OK
from maysend.restrictions.restriction import Item
from maysend.restrictions.site import Site
from maysend.tables import TableError


def permit_mynetworks(item: Item, site: Site) -> Check:
    """Permit a client whose name or address is in $mynetworks."""
    mynetworks = site.match_list("mynetworks")

    def check(evaluation: Evaluation) -> Outcome:
        dialogue = evaluation.dialogue
        try:
            pattern = mynetworks.match_host(
                dialogue.client_name, dialogue.client_address, evaluation.lookup
            )
        except TableError:
            evaluation.data_fault(evaluation.subject.name)
        if pattern is None:
            evaluation.note(f"{dialogue.client_address} is not in mynetworks")
            return DUNNO
        evaluation.note(f"{dialogue.client_address} is in mynetworks: {pattern}")
        return OK

    return check


def permit_inet_interfaces(item: Item, site: Site) -> Check:
    """Permit a client at one of this host's own addresses, $inet_interfaces."""
    addresses = site.interface_addresses

    def check(evaluation: Evaluation) -> Outcome:
        if evaluation.dialogue.client_address.lower() in addresses:
            evaluation.note("the client is at this host's own address")
            return OK
        return DUNNO

    return check
