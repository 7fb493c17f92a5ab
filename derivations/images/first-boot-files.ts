// What a person edits on the card before the machine starts for the first time: cloud-init's user-data, meta-data and
// network-config, as they are when nobody has: what a machine is to be is examples behind a "#", the network is DHCP.

import { write, type Derivation } from '../../engine/model/index.ts';

const userData = (hasDocker: boolean): string => `#cloud-config
# What this machine is to be. Read once, at its first start; take away the "#" of what you want.
# All that can be said here: https://cloudinit.readthedocs.io/en/latest/reference/examples.html

#hostname: my-board

# Who may log in. Nobody can before you say so here: there is no password that everyone knows.
#users:
#  - name: me
#    groups: [adm, sudo${hasDocker ? ', docker' : ''}]
#    shell: /bin/bash
#    sudo: ["ALL=(ALL) NOPASSWD:ALL"]
#    ssh_authorized_keys:
#      - ssh-ed25519 AAAA… me@laptop

# A password for the console, as \`mkpasswd\` or \`openssl passwd -6\` writes it (then also "lock_passwd: false" above):
#    passwd: $6$…

#timezone: Europe/Berlin

#write_files:
#  - path: /etc/motd
#    content: |
#      Welcome.

#runcmd:
#  - ${hasDocker ? '[docker, run, --detach, --restart, always, --publish, "80:80", nginx]' : '[bash, -c, "date >/root/first-start"]'}
`;

const metaData = `# Which machine this is. With another id, cloud-init does everything again that it does at the first start.
instance-id: first
`;

const networkConfig = `# The network, in the form of netplan. As it stands: addresses by DHCP on every wired interface.
network:
  version: 2
  ethernets:
    wired:
      match: { name: "e*" }
      dhcp4: true
      optional: true
    # Some USB adapters.
    usb:
      match: { name: "usb*" }
      dhcp4: true
      optional: true

# An address of its own instead:
#    eth0:
#      addresses: [192.168.1.10/24]
#      routes: [{ to: default, via: 192.168.1.1 }]
#      nameservers: { addresses: [192.168.1.1] }
`;

/** The files, as they are in the boot partition. `hasDocker`: their examples may be of Docker. */
export function firstBootFiles({ hasDocker = false }: { readonly hasDocker?: boolean } = {}): Derivation {
  return write({
    name: 'first-boot-files',
    files: { 'user-data': userData(hasDocker), 'meta-data': metaData, 'network-config': networkConfig },
  });
}
