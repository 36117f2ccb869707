package dev.seekr.distributed;

import dev.seekr.tensor.Tensor;

/**
 * What the processes of a run do with tensors that lie in one place. All call the same methods in
 * the same order with tensors of the same type and size; a result is what computation that is
 * called for afterwards sees. Of a tensor each process has a part, {@link Slice#of}.
 */
public interface TensorWire {
  /** The caller's part becomes the sum over all processes; the other parts are undefined. */
  void sumParts(Tensor flat);

  /** All of it becomes what each part is in the process that it belongs to. */
  void gatherParts(Tensor flat);

  /** Makes it what it is in process 0. */
  void broadcast(Tensor flat);
}
