/* What every module of the core begins with: Python's limited API and the integers of this machine. */
#ifndef HINOMI_CORE_H
#define HINOMI_CORE_H

#define PY_SSIZE_T_CLEAN
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <Python.h>

#include <stdint.h>
#include <string.h>

#endif
