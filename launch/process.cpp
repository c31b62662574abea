#include "launch/process.h"
