#pragma once
#include <uv.h>

namespace mqtt::net {

/// The handle part that all libuv handles begin with.
template <class UvType>
[[nodiscard]] uv_handle_t* as_handle(UvType& handle) {
  return reinterpret_cast<uv_handle_t*>(&handle);
}

/// Closes `state->handle`; libuv uses that memory until its close callback, which deletes `state`.
/// So an object can be destroyed inside its own callback.
template <class State>
void close_and_delete(State* state) {
  state->handle.data = state;
  uv_close(as_handle(state->handle), [](uv_handle_t* handle) { delete static_cast<State*>(handle->data); });
}

}  // namespace mqtt::net
