#include <greeting.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
	char name[64];
	if (fgets(name, sizeof name, stdin) == NULL)
		strcpy(name, "whoever you are");
	name[strcspn(name, "\n")] = '\0';
	return greet(name) ? 0 : 1;
}
