#!/usr/bin/env bash
# Install what the tests against real servers and clients need. Run as root on Debian 12 or later.
#
# vsftpd, pure-ftpd and proftpd exclude each other as installed packages, so the servers are fetched
# and unpacked into .cache/servers; only the libraries they need are installed. No service is started.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
servers=$(dirname "$(dirname "$here")")/.cache/servers
server_packages=(vsftpd pure-ftpd pure-ftpd-common proftpd-core proftpd-mod-crypto proftpd-mod-proxy
  syslog-ng-core)                               # excludes rsyslog as an installed package
tools=(
  curl lftp ncftp tnftp wget                    # the clients
  nftables iproute2 conntrack procps util-linux # namespaces, sockets, flows
  openssl ca-certificates make python3-venv
  redis-server                                  # the shared store
  prometheus                                    # with promtool, for rules and scraping
  haproxy nginx-light libnginx-mod-stream       # the peers of the benchmark
  chromium                                      # pages are looked at as their readers do
  libfaketime                                   # sets the wall clock of one process
  systemd                                       # judges the unit files; never started
  rsyslog                                       # reads the log as config/logging tells it to
  logrotate                                     # moves its files away while it runs
  fish zsh                                      # press Tab, beside bash
)

if [ "$(id -u)" != 0 ]; then
  echo "packages.sh installs Debian packages: run it as root (sudo $0)." >&2
  exit 2
fi
if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
  echo "packages.sh knows Debian and its descendants only; here, install: ${tools[*]} ${server_packages[*]}" >&2
  exit 2
fi

export DEBIAN_FRONTEND=noninteractive
installing=(apt-get -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120 install -y -q --no-install-recommends)

apt-get -o Acquire::Retries=3 update -q
"${installing[@]}" "${tools[@]}"

# Unpacked beside the old ones and moved at the end: an interrupted run leaves nothing half done.
fresh=$servers.new
rm -rf "$fresh"
mkdir -p "$fresh/packages"
(cd "$fresh/packages" && apt-get -o Acquire::Retries=3 download -q "${server_packages[@]}")
libraries=()
for package in "$fresh"/packages/*.deb; do
  dpkg -x "$package" "$fresh"
  while read -r library; do
    libraries+=("$library")
  done < <(dpkg-deb --field "$package" Depends | tr ',' '\n' | awk '$1 ~ /^lib/ {print $1}')
done
"${installing[@]}" "${libraries[@]}"
for program in vsftpd pure-ftpd proftpd; do
  if ldd "$fresh/usr/sbin/$program" | grep 'not found'; then
    echo "packages.sh: $program lacks the libraries above." >&2
    exit 1
  fi
done
# Only the programs: the packages bring examples and reporting scripts that tools would stumble over.
rm -rf "$fresh/packages" "$fresh/usr/share" "$fresh/etc" "$fresh/var" "$servers"
mv "$fresh" "$servers"
touch "$servers/complete"
echo "Real FTP servers are unpacked in $servers."
