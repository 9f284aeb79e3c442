"""Who a message's header says it is from (RFC 5322 3.6.2, RFC 6532, RFC 6854).

Any defect refuses, obsolete syntax included: two programs that mend a broken header differently
see two authors. The one exception is an unquoted dot in a display name. Everything here is pure.
"""

from maysend.header.defects import HeaderDefect
from maysend.header.fields import fields_of, originator_fields
from maysend.header.mailboxes import parse_address_list
from maysend.header.originators import read_originators
from maysend.header.parts import AddressList, Field, Mailbox, Originator

__all__ = [
    "AddressList",
    "Field",
    "HeaderDefect",
    "Mailbox",
    "Originator",
    "fields_of",
    "originator_fields",
    "parse_address_list",
    "read_originators",
]
