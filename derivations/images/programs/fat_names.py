
import re, unicodedata

# Windows takes these for devices in every folder, whatever follows a dot.
DEVICES = re.compile('(CON|PRN|AUX|NUL|CONIN\\$|CONOUT\\$|(COM|LPT)[0-9¹²³])( *)(\\..*)?', re.IGNORECASE | re.DOTALL)
FORBIDDEN = re.compile('[\x00-\x1f\x7f"*:<>?\\\\|\ud800-\udfff\ufffe\uffff]')
SHORT = re.compile("[A-Z0-9!#$%&'()@^_`{}~-]{1,8}(\\.[A-Z0-9!#$%&'()@^_`{}~-]{1,3})?")
NOT_SHORT = re.compile("[^A-Za-z0-9!#$%&'()@^_`{}~-]")
UNITS_OF_A_ROW = 13


def fault_of(name):
    """Why a file cannot have this name, or None. Linux's own names are shorter than the longest of fat32."""
    letter = FORBIDDEN.search(name)
    if letter:
        shown = f'"{letter[0]}"' if letter[0].isprintable() else f'U+{ord(letter[0]):04X}'
        return f'a name that fat32 cannot hold: {shown} is not for names'
    if name != name.rstrip('. '):
        return f'a name that fat32 cannot hold: it ends with a {"dot" if name.endswith(".") else "space"}'
    if DEVICES.fullmatch(name):
        return f'a name that Windows cannot open: {name.partition(".")[0].rstrip(" ")} is a device there'
    return None


def folded(name):
    """One for all names that some computer takes for the same: capitals count for nothing, nor how an accent is written."""
    letters = unicodedata.normalize('NFC', name)
    return ''.join(upper if len(upper := letter.upper()) == 1 else letter for letter in letters)


def short_names(names):
    """
    A name of eight letters and three for each of a folder's. A name that is one already keeps it; the others get a
    number, and never a name that another one of the folder has.
    """
    found = {name: name.upper() for name in names if SHORT.fullmatch(name.upper()) and name.isascii()}
    taken, numbers = set(found.values()), {}
    for name in names:
        if name not in found:
            found[name] = numbered(basis_of(name), taken, numbers)
            taken.add(found[name])
    return found


def numbered(basis, taken, numbers):
    start, extension = basis
    while True:
        numbers[basis] = numbers.get(basis, 0) + 1
        tail = f'~{numbers[basis]}'
        name = start[:8 - len(tail)] + tail + extension
        if name not in taken:
            return name


def basis_of(name):
    stem, dot, extension = name.replace(' ', '').lstrip('.').rpartition('.')
    if not dot:
        stem, extension = extension, ''
    stem, extension = (NOT_SHORT.sub('_', part.replace('.', '')).upper() for part in (stem, extension))
    return stem[:6], '.' + extension[:3] if extension else ''


def rows_for(name, short):
    """How many rows of 32 bytes a name takes in its folder."""
    return 1 if name == short else 1 + -(-len(name.encode('utf-16-le')) // (2 * UNITS_OF_A_ROW))


def long_rows(name, short):
    """The rows before the one of the short name, which is padded to eleven letters: the end of the name comes first."""
    units = name.encode('utf-16-le')
    if len(units) % (2 * UNITS_OF_A_ROW):
        units += b'\0\0'
    units += b'\xff' * (-len(units) % (2 * UNITS_OF_A_ROW))
    total = len(units) // (2 * UNITS_OF_A_ROW)
    rows = []
    for number in range(total, 0, -1):
        part = units[(number - 1) * 26:number * 26]
        order = number | (0x40 if number == total else 0)
        rows.append(bytes([order]) + part[:10] + b'\x0f\0' + bytes([checksum(short)]) + part[10:22] + b'\0\0' + part[22:])
    return b''.join(rows)


def padded(short):
    stem, _, extension = short.partition('.')
    return (stem.ljust(8) + extension.ljust(3)).encode('ascii')


def checksum(short):
    result = 0
    for byte in short:
        result = ((result >> 1 | result << 7) + byte) & 0xFF
    return result
