package dev.seekr.jmh;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** libtorch on all processors, and tensors to and from it. */
final class Torch {
  static {
    torch.set_num_threads(Runtime.getRuntime().availableProcessors());
  }

  private Torch() {}

  /**
   * Gives the processors back. OpenMP's number of threads is the process's: oneDNN, which Seekr
   * calls from threads of its own, would start as many more in each.
   */
  static void oneThread() {
    torch.set_num_threads(1);
  }

  static Tensor of(float[] x, long... shape) {
    return Tensor.create(x, shape);
  }

  static Tensor of(int[] x) {
    long[] wide = java.util.Arrays.stream(x).asLongStream().toArray();
    return Tensor.create(wide, wide.length);
  }

  static float[] floats(Tensor x) {
    Tensor dense = x.detach().contiguous();
    var out = new float[(int) dense.numel()];
    new FloatPointer(dense.data_ptr_float()).get(out);
    return out;
  }

  /** The same values, with a gradient of their own. */
  static Tensor leaf(Tensor x) {
    Tensor leaf = x.detach();
    leaf.set_requires_grad(true);
    return leaf;
  }

  /** Each of the key-value heads [NKV, T, HS] repeated for the queries that share it. */
  static Tensor shared(Tensor x, int G) {
    return G == 1 ? x : x.repeat_interleave(G, new LongOptional(0), new LongOptional());
  }

  static Scalar scalar(double x) {
    return new Scalar(x);
  }
}
