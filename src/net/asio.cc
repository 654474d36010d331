// The one translation unit that compiles Asio's bodies.
#include <boost/asio/impl/src.hpp>
