// cloud-init, reading user-data, meta-data and network-config from the boot partition and from nowhere else. Only modules
// are listed whose programs are here: each one that is imported takes time at every boot.

import type { Feature } from '../feature.ts';
import { unheededModule } from '../programs/index.ts';

// By stage.
const modules = {
  init: [
    ...['bootcmd', 'write-files', 'mounts', 'set_hostname', 'update_hostname', 'update_etc_hosts'],
    ...['users-groups', 'ssh'],
  ],
  config: ['set-passwords', 'ntp', 'timezone', 'runcmd'],
  final: [
    ...['write-files-deferred', 'scripts-per-once', 'scripts-per-boot', 'scripts-per-instance'],
    ...['scripts-user', 'final-message', 'power-state-change'],
  ],
};

// What each of them reads of a cloud-config, by its documentation. Whatever else a person writes is named to them.
export const keysOfModules: Readonly<Record<string, readonly string[]>> = {
  bootcmd: ['bootcmd'],
  'write-files': ['write_files'],
  mounts: ['mounts', 'mount_default_fields', 'swap'],
  set_hostname: [
    ...['hostname', 'fqdn', 'preserve_hostname', 'prefer_fqdn_over_hostname', 'create_hostname_file'],
  ],
  update_etc_hosts: ['manage_etc_hosts'],
  'users-groups': ['users', 'user', 'groups'],
  ssh: [
    ...['ssh', 'ssh_keys', 'ssh_authorized_keys', 'ssh_deletekeys', 'ssh_genkeytypes', 'ssh_quiet_keygen'],
    ...['ssh_publish_hostkeys', 'allow_public_ssh_keys', 'disable_root', 'disable_root_opts'],
  ],
  'set-passwords': ['ssh_pwauth', 'password', 'chpasswd'],
  ntp: ['ntp'],
  timezone: ['timezone'],
  runcmd: ['runcmd'],
  'final-message': ['final_message'],
  'power-state-change': ['power_state'],
};

// Of cloud-init itself, in whose own configuration they are.
const ownKeys = [
  ...['system_info', 'datasource', 'datasource_list', 'output', '_log', 'log_cfgs', 'def_log_file'],
  ...['cloud_init_modules', 'cloud_config_modules', 'cloud_final_modules', 'merge_how', 'merge_type'],
];
const knownKeys = [...ownKeys, ...Object.values(keysOfModules).flat()].sort();

const config = `# What cloud-init does here. What a machine is to be is in user-data on the boot partition (/boot).
datasource_list: [NoCloud, None]
datasource:
  NoCloud:
    # The files are found in /var/lib/cloud/seed/nocloud, which is /boot. No other disk is searched.
    fs_label: null

users: [default]
disable_root: true
preserve_hostname: false

# One kind of host key is enough, and quick to make.
ssh_deletekeys: true
ssh_genkeytypes: [ed25519]
ssh:
  emit_keys_to_console: false

cloud_init_modules: [unheeded, ${modules.init.join(', ')}]
cloud_config_modules: [${modules.config.join(', ')}]
cloud_final_modules: [${modules.final.join(', ')}]

system_info:
  distro: debian
  network:
    renderers: [networkd]
    activators: [networkd]
  default_user:
    name: cairn
    gecos: cairn
    lock_passwd: true
    groups: [adm, audio, dialout, plugdev, sudo, video]
    sudo: ["ALL=(ALL) NOPASSWD:ALL"]
    shell: /bin/bash
  paths:
    cloud_dir: /var/lib/cloud/
    templates_dir: /etc/cloud/templates/
  ssh_svcname: ssh
`;

// As Debian's, but without a line for each thing looked at: writing those is a good part of its time.
const logging = `_log:
  - &base |
    [loggers]
    keys=root,cloudinit

    [handlers]
    keys=consoleHandler,cloudLogHandler

    [formatters]
    keys=plain

    [logger_root]
    level=INFO
    handlers=consoleHandler,cloudLogHandler

    [logger_cloudinit]
    level=INFO
    qualname=cloudinit
    handlers=
    propagate=1

    [handler_consoleHandler]
    class=StreamHandler
    level=WARNING
    formatter=plain
    args=(sys.stderr,)

    [formatter_plain]
    format=%(asctime)s - %(filename)s[%(levelname)s]: %(message)s
  - &file |
    [handler_cloudLogHandler]
    class=FileHandler
    level=INFO
    formatter=plain
    args=('/var/log/cloud-init.log', 'a', 'UTF-8')
log_cfgs:
  - [*base, *file]
output: { all: '| tee -a /var/log/cloud-init-output.log' }
`;

// What its configuration, a file of a person and its subcommands have it load.
const loadedByName = [
  ...Object.values(modules)
    .flat()
    .map((name) => `config.cc_${name.replaceAll('-', '_')}`),
  ...['distros.debian', 'sources.DataSourceNoCloud', 'sources.DataSourceNone'],
  ...['mergers.m_dict', 'mergers.m_list', 'mergers.m_str'],
  ...['analyze', 'cmd.clean', 'cmd.devel.logs', 'cmd.query', 'cmd.status'],
].map((name) => `cloudinit.${name}`);

const cloudinit = 'usr/lib/python3/dist-packages/cloudinit';

// Its one process starts before that and waits for its stages.
const boot = '[Unit]\nRequiresMountsFor=/boot\n';

export const cloudInit: Feature = {
  name: 'cloud-init',
  prebuilt: ['cloud-init'],
  services: {
    enabled: {
      'cloud-init.target': 'multi-user.target',
      'cloud-init-main.service': 'cloud-init.target',
      'cloud-init-local.service': 'cloud-init.target',
      'cloud-init-network.service': 'cloud-init.target',
      'cloud-config.service': 'cloud-init.target',
      'cloud-final.service': 'cloud-init.target',
    },
  },
  files: {
    'etc/cloud/cloud.cfg': config,
    'etc/cloud/cloud.cfg.d/05_logging.cfg': logging,
    'usr/lib/cairn/cloud-config-keys.json': `${JSON.stringify(knownKeys, undefined, 1)}\n`,
    [`${cloudinit}/config/cc_unheeded.py`]: unheededModule,
    'etc/systemd/system/cloud-init-local.service.d/boot.conf': boot,
    'var/lib/cloud/seed/nocloud': { symlink: '/boot' },
    'usr/bin/nc': { symlink: 'nc.openbsd' },
  },
  pythonModules: loadedByName,
  leftOut: [
    // Replaced above.
    'etc/cloud/{cloud.cfg,cloud.cfg.d/*}',
    // The root grows without it.
    'usr/bin/{growpart,ec2metadata,vcs-run}',
    // Whether to run at all, and where to look, is decided.
    'usr/lib/systemd/system-generators/cloud-init-generator',
    'usr/lib/cloud-init/ds-identify',
    'usr/lib/udev/rules.d/66-azure-ephemeral.rules',
    // Network interfaces that appear later, which networkd takes care of.
    'usr/lib/systemd/system/cloud-init-hotplugd.*',
    'usr/lib/cloud-init/hook-hotplug',
    'etc/profile.d/Z99-cloud-locale-test.sh',
    'etc/cloud/templates/!(hosts.debian.tmpl|timesyncd.conf.tmpl)',
    'usr/lib/python3/dist-packages/**/tests',
    // Of other clouds and other distributions.
    `${cloudinit}/sources/!(__init__.py|DataSourceNoCloud.py|DataSourceNone.py|helpers)`,
    `${cloudinit}/sources/helpers/!(__init__.py|netlink.py)`,
    `${cloudinit}/distros/!(__init__.py|bsd_utils.py|debian.py|networking.py|ug_util.py|parsers|package_management)`,
    // What converts files for all of them.
    `${cloudinit}/cmd/devel/!(__init__.py|logs.py)`,
  ],
};
