#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>

#include "net/worker.h"

namespace sluice::net {

/// The event loop behind a worker, seen only inside net/.
struct Worker::Impl {
  // One thread runs the loop and owns all its descriptors; only `post` comes from outside.
  boost::asio::io_context io{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{io.get_executor()};
  using Timer =
      boost::asio::basic_waitable_timer<Clock, boost::asio::wait_traits<Clock>, boost::asio::io_context::executor_type>;
  Timer ticker{io};
  bool ticking = false;
  std::atomic<std::int64_t> lag{0};

  void want_tick(TimerWheel& wheel);
};

}  // namespace sluice::net
