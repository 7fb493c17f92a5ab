"""Stands for a package of somebody else's, whose sources were copied into the project."""


def counted(number, noun):
    return f'{number} {noun}' if number == 1 else f'{number} {noun}s'
