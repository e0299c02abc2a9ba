include "mechanics.yar"
