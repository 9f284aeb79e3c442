"""Another server's opinion: check_policy_service (SMTPD_POLICY_README, postconf(5)).

The server is asked with the attributes that Postfix 3.7 sends, and answers with what may stand on
the right-hand side of an access(5) table; "action=" with nothing behind it permits, as in smtpd.
Where it gives no usable answer, its default_action (smtpd_policy_service_default_action: 451
4.3.5) does; while that is carried out, another server that fails has the built-in one.
`queue_id` is always empty: nothing is queued here.
"""

from maysend.delegation import PolicyServiceError
from maysend.restrictions.access_answers import Access, apply_answer
from maysend.restrictions.dialogue import Dialogue
from maysend.restrictions.evaluation import Check, Evaluation
from maysend.restrictions.keys import Found
from maysend.restrictions.outcome import Outcome
from maysend.restrictions.policy_service_item import read_policy_service
from maysend.restrictions.restriction import Item
from maysend.restrictions.site import Site

BUILT_IN_ACTION = "451 4.3.5 Server configuration problem"
KEY = "policy query"
AFTER_RECIPIENTS = ("DATA", "END-OF-MESSAGE")
BEFORE_HELO = ("CONNECT", "HELO", "EHLO")


def check_policy_service(item: Item, site: Site) -> Check:
    """Ask a policy server, `unix:PATH`, `inet:HOST:PORT`, or `{ SERVER, timeout=10s, … }`."""
    service = read_policy_service(item.argument, site.parameters)
    stress = site.parameters.get("stress") or ""

    def check(evaluation: Evaluation) -> Outcome:
        subject = evaluation.subject
        access = Access(service.server, subject.name, subject.words)
        _name_message(evaluation)
        attributes = {
            **_attributes(evaluation.dialogue),
            "stress": stress,
            "policy_context": service.policy_context,
        }
        try:
            action = evaluation.ask_policy_service(service, attributes)
        except PolicyServiceError as error:
            return _by_default(evaluation, access, service.default_action, str(error))
        if site.utf8 and not _is_utf8(action):
            reason = "malformed UTF-8 in the answer"
            return _by_default(evaluation, access, service.default_action, reason)
        return apply_answer(evaluation, access, Found(KEY, action))

    return check


def _by_default(evaluation: Evaluation, access: Access, action: str, reason: str) -> Outcome:
    """Act as where the server is not to be had; never deeper than one default action."""
    is_nested, evaluation.takes_default_action = evaluation.takes_default_action, True
    if is_nested:
        action = BUILT_IN_ACTION
    evaluation.note(f"no answer ({reason}): {action}")
    try:
        return apply_answer(evaluation, access, Found(KEY, action))
    finally:
        evaluation.takes_default_action = is_nested


def _name_message(evaluation: Evaluation) -> None:
    """Give the message the name that all requests about it share; it begins with its RCPT."""
    dialogue = evaluation.dialogue
    if not dialogue.instance and dialogue.sender is not None and dialogue.protocol_state != "MAIL":
        dialogue.instance = evaluation.site.policy_services.new_instance()


def _attributes(dialogue: Dialogue) -> dict[str, str]:
    """All that Postfix 3.7 sends, in its order, but what the site says itself."""
    state = dialogue.protocol_state
    count = dialogue.recipient_count if state in AFTER_RECIPIENTS else 0
    is_trusted = dialogue.ccert_trusted
    return {
        "request": "smtpd_access_policy",
        "protocol_state": state,
        # smtpd takes a client for an SMTP one until its EHLO was accepted.
        "protocol_name": "SMTP" if state in BEFORE_HELO else dialogue.protocol_name,
        "client_address": dialogue.client_address,
        "client_name": dialogue.client_name,
        "client_port": dialogue.client_port or "0",
        "reverse_client_name": dialogue.reverse_client_name,
        "server_address": dialogue.server_address,
        "server_port": dialogue.server_port or "0",
        "helo_name": dialogue.helo_name or "",
        "sender": dialogue.sender or "",
        "recipient": dialogue.recipient or "",
        "recipient_count": str(count),
        "queue_id": "",
        "instance": dialogue.instance,
        "size": str(dialogue.size),
        "etrn_domain": dialogue.etrn_domain or "",
        "stress": "",
        "sasl_method": dialogue.sasl_method,
        "sasl_username": dialogue.sasl_username,
        "sasl_sender": dialogue.sasl_sender,
        "ccert_subject": xtext(dialogue.ccert_subject) if is_trusted else "",
        "ccert_issuer": xtext(dialogue.ccert_issuer) if is_trusted else "",
        "ccert_fingerprint": dialogue.ccert_fingerprint,
        "ccert_pubkey_fingerprint": dialogue.ccert_pubkey_fingerprint,
        "encryption_protocol": dialogue.encryption_protocol,
        "encryption_cipher": dialogue.encryption_cipher,
        "encryption_keysize": str(dialogue.encryption_keysize),
    }


def xtext(text: str) -> str:
    """RFC 3461 4, except that Postfix leaves "=" as it is."""
    octets = text.encode("utf-8", "surrogateescape")
    return "".join(
        chr(octet) if 32 < octet < 127 and octet != ord("+") else f"+{octet:02X}"
        for octet in octets
    )


def _is_utf8(text: str) -> bool:
    return not any("\udc80" <= character <= "\udcff" for character in text)
