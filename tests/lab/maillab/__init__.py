"""The lab: hosts made of Linux namespaces, with the real Postfix, rsyslog and dnsmasq in them."""
