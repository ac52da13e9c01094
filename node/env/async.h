// Conversations are coroutines: Async<T> is asio::awaitable on an io_context.
//
// Rules (STYLE.md): parameters by value; no capturing-lambda coroutines; after a
// co_await the world has changed.
#ifndef DYNAMO_NODE_ENV_ASYNC_H_
#define DYNAMO_NODE_ENV_ASYNC_H_

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace dynamo {

namespace asio = boost::asio;

// The concrete executor, not any_io_executor: a shard is an io_context in both
// worlds, and type erasure at every hop costs more than it gives.
using Executor = asio::io_context::executor_type;

template <class T = void>
using Async = asio::awaitable<T, Executor>;

using UseAwaitable = asio::use_awaitable_t<Executor>;
inline constexpr UseAwaitable kUseAwaitable;

}  // namespace dynamo

#endif  // DYNAMO_NODE_ENV_ASYNC_H_
