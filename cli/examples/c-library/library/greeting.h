#pragma once

/** Prints a greeting for everybody who is called NAME, and says whether that could be written. */
int greet(const char *name);
