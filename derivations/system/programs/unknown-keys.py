
"""Names on the console, and in the log, what user-data asks for and no module of this system does. A module of cloud-init."""

import json, logging

from cloudinit.settings import CFG_BUILTIN, PER_INSTANCE

meta = {'id': 'cc_unknown_keys', 'distros': ['all'], 'frequency': PER_INSTANCE, 'activate_by_schema_keys': []}

KNOWN = '/usr/lib/cairn/cloud-config-keys.json'
LOG = logging.getLogger(__name__)


def handle(name, cfg, cloud, args):
    with open(KNOWN) as file:
        known = {*json.load(file), *CFG_BUILTIN}
    for key in sorted({str(key) for key in cfg} - known):
        LOG.warning('user-data asks for "%s", which nothing on this machine does: it is left undone', key)
