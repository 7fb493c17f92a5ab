#include "greeting.h"

#include <stdio.h>

int greet(const char *name)
{
	char line[80];
	snprintf(line, sizeof line, "Hello from a library, %s", name);
	return puts(line) >= 0;
}
