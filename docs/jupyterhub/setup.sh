#!/bin/sh
# Makes what the class needs on this machine: groups, the grader's account, the exchange, and the hub's settings in
# /etc/attention. Run it as root from the clone in /opt/course; run it again after an upgrade.
set -eu
cd "$(dirname "$0")"
grader=grader-attention
exchange=/srv/attention/exchange

for group in nbgrader-attention formgrade-attention; do
    getent group $group >/dev/null || groupadd $group
done
id $grader >/dev/null 2>&1 || useradd --create-home --user-group --shell /bin/bash $grader
chmod 700 /home/$grader

# The clone has the solutions: nobody but root and the grader may look into it.
chown root:$grader /opt/course
chmod 750 /opt/course

install -d -m 755 /etc/attention /srv/attention
cp -R jupyterhub_config.py learner grader /etc/attention
chmod -R u=rwX,go=rX /etc/attention/jupyterhub_config.py /etc/attention/learner /etc/attention/grader
install -o $grader -g $grader -m 644 grader/profile /home/$grader/.profile

# nbgrader wants everyone to be able to write in the exchange. The sticky bit (the first 1 and 3) keeps one user from
# renaming or removing what belongs to another; nobody but the grader can list what was handed in.
install -d -m 1777 $exchange
install -d -o $grader -g $grader -m 755 $exchange/attention $exchange/attention/outbound
install -d -o $grader -g $grader -m 3733 $exchange/attention/inbound
install -d -o $grader -g $grader -m 711 $exchange/attention/feedback

install -d -m 700 /var/lib/jupyterhub
