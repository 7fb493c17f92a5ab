"""Says on the console, and in the log, what of user-data comes to nothing: a file that cannot be read, and what a readable one
asks for that no module of this system does. A module of cloud-init."""

import codecs, json, logging

import yaml
from cloudinit.settings import CFG_BUILTIN, PER_INSTANCE

meta = {'id': 'cc_unheeded', 'distros': ['all'], 'frequency': PER_INSTANCE, 'activate_by_schema_keys': []}

SEED = '/var/lib/cloud/seed/nocloud'
KNOWN = '/usr/lib/cairn/cloud-config-keys.json'
LOG = logging.getLogger(__name__)

UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
GZIP = b'\x1f\x8b'
CLOUD_CONFIG = '#cloud-config'
# How user-data of other kinds begins: https://cloudinit.readthedocs.io/en/latest/explanation/format.html
OTHER_KINDS = ('#!', '#include', '#cloud-boothook', '#part-handler', '#cloud-config-', '## template: jinja', 'Content-Type:',
               'MIME-Version:')


def handle(name, cfg, cloud, args):
    for file in 'user-data', 'meta-data', 'network-config':
        problem = problem_of(file)
        if problem is not None:
            LOG.warning('%s on the boot partition %s: nothing that it says is done. Mend it, give meta-data another instance-id, '
                        'and start the machine again', file, problem)
    with open(KNOWN) as file:
        known = {*json.load(file), *CFG_BUILTIN}
    for key in sorted({str(key) for key in cfg} - known):
        LOG.warning('user-data asks for "%s", which nothing on this machine does: it is left undone', key)


def problem_of(name):
    """Why a file comes to nothing, or None."""
    try:
        with open(f'{SEED}/{name}', 'rb') as file:
            content = file.read()
    except FileNotFoundError:
        return None
    # Packed by a program, for programs.
    if content.startswith(GZIP):
        return None
    if content.startswith(UTF_16) or b'\0' in content[:64]:
        return 'is UTF-16, and not UTF-8, as it must be'
    if content.startswith(codecs.BOM_UTF8):
        return 'begins with a byte order mark (BOM), which UTF-8 needs none of'
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content[:error.start].count(b'\n') + 1
        return f'is not UTF-8 in line {line}'
    if name == 'user-data':
        if text.startswith(OTHER_KINDS) or not text.strip():
            return None
        if not text.startswith(CLOUD_CONFIG):
            return f'begins with neither "{CLOUD_CONFIG}" nor "#!"'
    return yaml_problem_of(text)


def yaml_problem_of(text):
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, 'problem_mark', None)
        place = '' if mark is None else f' in line {mark.line + 1}'
        return f'is no YAML{place} ({getattr(error, "problem", None) or error})'
    if value is None or isinstance(value, dict):
        return None
    return 'is YAML, but no mapping of keys'
