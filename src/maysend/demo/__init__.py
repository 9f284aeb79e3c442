"""The sample site of `maysend demo`: accounts, certificate, gateway and sink on one machine."""
