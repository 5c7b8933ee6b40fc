#pragma once
/// States for the codec: those whose stored bytes must decode for ever, and any.
#include "actors/states/state_codec.h"

namespace souk::test {

SkuState sku_sample();
UserState user_sample();
CartState cart_sample();
OrderState order_sample();
EmailState email_sample();
KeyState key_sample();
SkuState sku_3_sample();
UserState user_3_sample();
EmailState email_3_sample();

// Any state (RapidCheck: inside rc::check only), also such as the rules never make.
SkuState any_sku_state();
UserState any_user_state();
CartState any_cart_state();
OrderState any_order_state();

}  // namespace souk::test
