#pragma once
/// How long the scheduler lets a thread run before it looks at who else is ready.

namespace souk {

/// Asks for the shortest time slice (100 us instead of some 1.4 ms on two cores) for the calling
/// thread, so that it runs soon after it is woken although readers or a load generator are busy on
/// its core. Needs no privilege. A kernel before 6.12 knows no slices of single threads: nothing
/// changes there, and nothing fails. Source: https://docs.kernel.org/scheduler/sched-eevdf.html
void short_time_slice();

}  // namespace souk
