"""The restrictions of postconf(5)'s smtpd_*_restrictions: one file per restriction or tight family.

`index` says which name is which; `evaluation` is all that a restriction sees of the world.
"""
