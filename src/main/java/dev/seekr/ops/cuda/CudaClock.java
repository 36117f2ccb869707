package dev.seekr.ops.cuda;

import static dev.seekr.ops.cuda.CudaDevice.check;
import static jcuda.driver.JCudaDriver.*;

import dev.seekr.ops.Clock;
import jcuda.driver.CUevent;

/** A device's time: events in the order of what it computes. */
record CudaClock(CudaDevice device) implements Clock {
  @Override
  public Moment now() {
    var event = new Event();
    device.compute();
    check("cuEventCreate", cuEventCreate(event.event, 0));
    check("cuEventRecord", cuEventRecord(event.event, device.stream()));
    return event;
  }

  private static final class Event implements Moment {
    final CUevent event = new CUevent();
    private boolean closed;

    @Override
    public double secondsSince(Moment earlier) {
      float[] milliseconds = {0};
      check("cuEventSynchronize", cuEventSynchronize(event));
      check("cuEventElapsedTime", cuEventElapsedTime(milliseconds, ((Event) earlier).event, event));
      return milliseconds[0] / 1e3;
    }

    @Override
    public void close() {
      if (closed) return;
      closed = true;
      check("cuEventDestroy", cuEventDestroy(event));
    }
  }
}
