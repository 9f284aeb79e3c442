"""ldap: tables against a private slapd, beside the installed Postfix."""
