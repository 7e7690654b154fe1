/* The header compiles alone as C11, without anything before it. */
#include "api/braid.h"

int main(void) { return braid_version()[0] == '0' ? 0 : 1; }
