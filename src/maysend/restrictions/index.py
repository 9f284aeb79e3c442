"""Which name in a restriction list is which restriction (postconf(5), smtpd_*_restrictions).

To add one: write its file, then its line here.
"""

from maysend.restrictions import (
    access,
    blocklist,
    client_certificate,
    client_name,
    destination,
    fully_qualified,
    header_from,
    helo_name,
    mx_backup,
    networks,
    outright,
    policy_service,
    recipient_login,
    recipient_scope,
    recipients,
    sender_login,
    server_access,
    session_security,
    unknown_domain,
    unlisted,
    unverified,
)
from maysend.restrictions.restriction import Restriction

RESTRICTIONS: dict[str, Restriction] = {
    "permit": Restriction(outright.permit),
    "reject": Restriction(outright.reject),
    "defer": Restriction(outright.defer),
    "defer_if_permit": Restriction(outright.defer_if_permit),
    "defer_if_reject": Restriction(outright.defer_if_reject),
    "sleep": Restriction(outright.sleep, "word"),
    "permit_mynetworks": Restriction(networks.permit_mynetworks),
    "permit_inet_interfaces": Restriction(networks.permit_inet_interfaces),
    "permit_sasl_authenticated": Restriction(session_security.permit_sasl_authenticated),
    "reject_plaintext_session": Restriction(session_security.reject_plaintext_session),
    "permit_tls_clientcerts": Restriction(client_certificate.permit_tls_clientcerts),
    "permit_tls_all_clientcerts": Restriction(client_certificate.permit_tls_all_clientcerts),
    "check_ccert_access": Restriction(client_certificate.check_ccert_access, "table"),
    "reject_unauth_pipelining": Restriction(session_security.reject_unauth_pipelining),
    "check_client_access": Restriction(access.check_client_access, "table"),
    "check_reverse_client_hostname_access": Restriction(
        access.check_reverse_client_hostname_access, "table"
    ),
    "check_helo_access": Restriction(access.check_helo_access, "table"),
    "check_sender_access": Restriction(access.check_sender_access, "table"),
    "check_recipient_access": Restriction(access.check_recipient_access, "table"),
    "check_sasl_access": Restriction(access.check_sasl_access, "table"),
    "check_etrn_access": Restriction(access.check_etrn_access, "table"),
    "reject_unknown_client_hostname": Restriction(client_name.reject_unknown_client_hostname),
    "reject_unknown_client": Restriction(client_name.reject_unknown_client_hostname),
    "reject_unknown_reverse_client_hostname": Restriction(
        client_name.reject_unknown_reverse_client_hostname
    ),
    "reject_invalid_helo_hostname": Restriction(helo_name.reject_invalid_helo_hostname),
    "reject_invalid_hostname": Restriction(helo_name.reject_invalid_helo_hostname),
    "reject_non_fqdn_helo_hostname": Restriction(helo_name.reject_non_fqdn_helo_hostname),
    "reject_non_fqdn_hostname": Restriction(helo_name.reject_non_fqdn_helo_hostname),
    "reject_non_fqdn_sender": Restriction(fully_qualified.reject_non_fqdn_sender),
    "reject_non_fqdn_recipient": Restriction(fully_qualified.reject_non_fqdn_recipient),
    "reject_unlisted_sender": Restriction(unlisted.reject_unlisted_sender),
    "reject_unlisted_recipient": Restriction(unlisted.reject_unlisted_recipient),
    "check_recipient_maps": Restriction(unlisted.reject_unlisted_recipient),
    "reject_sender_login_mismatch": Restriction(sender_login.reject_sender_login_mismatch),
    "reject_authenticated_sender_login_mismatch": Restriction(
        sender_login.reject_authenticated_sender_login_mismatch
    ),
    "reject_known_sender_login_mismatch": Restriction(
        sender_login.reject_known_sender_login_mismatch
    ),
    "reject_unauthenticated_sender_login_mismatch": Restriction(
        sender_login.reject_unauthenticated_sender_login_mismatch
    ),
    "reject_header_from_login_mismatch": Restriction(header_from.reject_header_from_login_mismatch),
    "reject_recipient_login_mismatch": Restriction(recipient_login.reject_recipient_login_mismatch),
    "reject_recipient_scope_mismatch": Restriction(recipient_scope.reject_recipient_scope_mismatch),
    "reject_unauth_destination": Restriction(destination.reject_unauth_destination),
    "defer_unauth_destination": Restriction(destination.defer_unauth_destination),
    "permit_auth_destination": Restriction(destination.permit_auth_destination),
    "reject_multi_recipient_bounce": Restriction(recipients.reject_multi_recipient_bounce),
    "check_relay_domains": Restriction(destination.check_relay_domains),
    "reject_unknown_sender_domain": Restriction(unknown_domain.reject_unknown_sender_domain),
    "reject_unknown_recipient_domain": Restriction(unknown_domain.reject_unknown_recipient_domain),
    "reject_unknown_address": Restriction(unknown_domain.reject_unknown_sender_domain),
    "reject_unknown_helo_hostname": Restriction(unknown_domain.reject_unknown_helo_hostname),
    "reject_unknown_hostname": Restriction(unknown_domain.reject_unknown_helo_hostname),
    "permit_mx_backup": Restriction(mx_backup.permit_mx_backup),
    **server_access.RESTRICTIONS,
    "permit_naked_ip_address": Restriction(helo_name.permit_naked_ip_address),
    "reject_rbl_client": Restriction(blocklist.reject_rbl_client, "domain"),
    "reject_rbl": Restriction(blocklist.reject_rbl_client, "domain"),
    "reject_maps_rbl": Restriction(blocklist.reject_maps_rbl),
    "reject_rhsbl_client": Restriction(blocklist.reject_rhsbl_client, "domain"),
    "reject_rhsbl_reverse_client": Restriction(blocklist.reject_rhsbl_reverse_client, "domain"),
    "reject_rhsbl_helo": Restriction(blocklist.reject_rhsbl_helo, "domain"),
    "reject_rhsbl_sender": Restriction(blocklist.reject_rhsbl_sender, "domain"),
    "reject_rhsbl_recipient": Restriction(blocklist.reject_rhsbl_recipient, "domain"),
    "permit_dnswl_client": Restriction(blocklist.permit_dnswl_client, "domain"),
    "permit_rhswl_client": Restriction(blocklist.permit_rhswl_client, "domain"),
    "check_policy_service": Restriction(policy_service.check_policy_service, "word"),
    "reject_unverified_sender": Restriction(unverified.reject_unverified_sender),
    "reject_unverified_recipient": Restriction(unverified.reject_unverified_recipient),
}
