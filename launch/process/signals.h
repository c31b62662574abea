#pragma once

#include "core/run/flags_record.h"

namespace pretrain {

/// Makes the process answer signals; called before and again after libraries that install their
/// own handlers. Throws kInternal if a handler did not stay.
/// - SIGUSR1, SIGXCPU, SIGINT ask to stop at the next step boundary with a checkpoint (kPreempt).
/// - SIGTERM, SIGHUP ask to stop before the launcher kills us (kTerminate); SIGTERM counts as
///   kPreempt if `under_launcher` is false, as then nobody kills us a second later.
/// - A second one of these within 10 s gets its default action: the process dies at once.
/// - SIGPIPE is ignored: a closed pipe is an error code of write.
/// - SIGBUS in a file mapped for reading means that the input was truncated under us: prints its
///   name and ends with 65. Any other SIGBUS gets the default action.
void install_signal_handlers(bool under_launcher);

/// What the signals so far ask for: kNone, kPreempt or kTerminate. Safe from any thread.
StopRequest stop_request();

}  // namespace pretrain
