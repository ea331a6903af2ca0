"""The firewall lab: a server behind a firewall that counts connections and bans, and the demo.

As root, two network namespaces with real nftables rules, and counters of two kinds: `scanner` reads
the server's socket table as CSF's lfd does, `flows` follows the kernel's connection tracking.
Without root, `server` emulates the firewall in front of itself. Nothing outside is ever changed.
"""
