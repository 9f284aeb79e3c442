"""mysql: and pgsql: tables on real servers, compared with the installed Postfix."""
