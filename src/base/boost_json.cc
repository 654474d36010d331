// Boost.JSON's bodies, compiled once for the whole program: everybody else includes <boost/json.hpp> and sees
// declarations.
#include <boost/json/src.hpp>
