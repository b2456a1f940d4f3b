"""门牌 Menpai: the register of residential buildings and of declared residencies."""
