#!/bin/sh
echo "Hello from a service of my own, on $(uname -m)."
