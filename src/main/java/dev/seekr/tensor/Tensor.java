package dev.seekr.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * A dense row-major array: shape, element type and the memory it lies in. Tensors own nothing; the
 * {@link Memory} they came from does. {@link #get} and {@link #set} convert to and from double and
 * serve the reference kernels, loading and tests; on a device each is a copy of one element, so
 * what is many elements goes through the methods that take or give arrays.
 */
public record Tensor(DType dtype, long[] shape, MemorySegment data, Place place) {
  /** Elements converted at a time on their way to or from a device. */
  private static final long CHUNK = 1 << 20;

  private static final ValueLayout.OfDouble F64 = ValueLayout.JAVA_DOUBLE_UNALIGNED;
  private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED;
  private static final ValueLayout.OfShort B16 = ValueLayout.JAVA_SHORT_UNALIGNED;
  private static final ValueLayout.OfLong I64 = ValueLayout.JAVA_LONG_UNALIGNED;
  private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT_UNALIGNED;

  /** Throws IllegalArgumentException when the memory is not exactly as large as the shape needs. */
  public Tensor {
    shape = shape.clone();
    long need = Math.multiplyExact(size(shape), dtype.bytes);
    if (data.byteSize() != need) {
      throw new IllegalArgumentException(
          dtype
              + Arrays.toString(shape)
              + " needs "
              + need
              + " bytes, the memory has "
              + data.byteSize());
    }
  }

  /** On the host. */
  public Tensor(DType dtype, long[] shape, MemorySegment data) {
    this(dtype, shape, data, Place.HOST);
  }

  /** Number of elements of a shape; throws ArithmeticException where it overflows a long. */
  public static long size(long... shape) {
    long n = 1;
    for (long d : shape) {
      if (d < 0)
        throw new IllegalArgumentException("negative dimension in " + Arrays.toString(shape));
      n = Math.multiplyExact(n, d);
    }
    return n;
  }

  /** Java floats as F32 of a shape, one dimension where none is given; the array is the memory. */
  public static Tensor of(float[] values, long... shape) {
    return new Tensor(
        DType.F32,
        shape.length == 0 ? new long[] {values.length} : shape,
        MemorySegment.ofArray(values));
  }

  /** The same of Java ints, I32. */
  public static Tensor of(int[] values, long... shape) {
    return new Tensor(
        DType.I32,
        shape.length == 0 ? new long[] {values.length} : shape,
        MemorySegment.ofArray(values));
  }

  /** A copy. */
  @Override
  public long[] shape() {
    return shape.clone();
  }

  /** Equal are tensors of the same memory that are of one type and shape. */
  @Override
  public boolean equals(Object other) {
    return other instanceof Tensor t
        && dtype == t.dtype
        && Arrays.equals(shape, t.shape)
        && data.equals(t.data)
        && place.equals(t.place);
  }

  @Override
  public int hashCode() {
    return 31 * data.hashCode() + Arrays.hashCode(shape);
  }

  public long size() {
    return size(shape);
  }

  public long dim(int i) {
    return shape[i < 0 ? shape.length + i : i];
  }

  public long bytes() {
    return data.byteSize();
  }

  /** Elements [from, from + size(shape)) of this tensor, seen under another shape. */
  public Tensor view(long from, long... newShape) {
    return new Tensor(
        dtype, newShape, data.asSlice(from * dtype.bytes, size(newShape) * dtype.bytes), place);
  }

  /** Rows [from, to) along the first dimension. */
  public Tensor rows(long from, long to) {
    long[] s = shape.clone();
    long row = shape[0] == 0 ? 0 : size() / shape[0];
    s[0] = to - from;
    return view(from * row, s);
  }

  private boolean onHost() {
    return place == Place.HOST;
  }

  /** This tensor where it is on the host, else a copy of it there, in the Java heap. */
  public Tensor toHost() {
    if (onHost()) return this;
    var bytes = MemorySegment.ofArray(new byte[Math.toIntExact(bytes())]);
    place.copyOut(bytes, data);
    return new Tensor(dtype, shape, bytes);
  }

  private Tensor element(long i) {
    return view(i, 1).toHost();
  }

  /** Element {@code i} of the flattened tensor as a double. */
  public double get(long i) {
    if (!onHost()) return element(i).get(0);
    return switch (dtype) {
      case F64 -> data.get(F64, i * 8);
      case F32 -> data.get(F32, i * 4);
      case F16 -> Float.float16ToFloat(data.get(B16, i * 2));
      case BF16 -> DType.fromBf16(data.get(B16, i * 2));
      case I64 -> data.get(I64, i * 8);
      case I32 -> data.get(I32, i * 4);
    };
  }

  /** Element {@code i} of an integer tensor. */
  public int getInt(long i) {
    return Math.toIntExact(getLong(i));
  }

  /** Element {@code i} of an integer tensor, which may be wider than an int. */
  public long getLong(long i) {
    if (!onHost()) return element(i).getLong(0);
    return switch (dtype) {
      case I32 -> data.get(I32, i * 4);
      case I64 -> data.get(I64, i * 8);
      default -> throw new IllegalStateException(dtype + " is not an integer type");
    };
  }

  /**
   * Stores {@code v}, rounded to this tensor's type, at element {@code i} of the flattened tensor.
   */
  public void set(long i, double v) {
    if (!onHost()) {
      Tensor one = element(i);
      one.set(0, v);
      place.copyIn(view(i, 1).data, one.data);
      return;
    }
    switch (dtype) {
      case F64 -> data.set(F64, i * 8, v);
      case F32 -> data.set(F32, i * 4, (float) v);
      case F16 -> data.set(B16, i * 2, Float.floatToFloat16((float) v));
      case BF16 -> data.set(B16, i * 2, DType.toBf16((float) v));
      case I64 -> data.set(I64, i * 8, (long) v);
      case I32 -> data.set(I32, i * 4, (int) v);
    }
  }

  public void add(long i, double v) {
    set(i, get(i) + v);
  }

  /**
   * Copies {@code from} element by element, converting the type. Throws IllegalArgumentException
   * when sizes differ.
   */
  public void copyFrom(Tensor from) {
    long n = size();
    if (from.size() != n) throw new IllegalArgumentException("copy of " + from + " into " + this);
    if (from.dtype == dtype && place == from.place) {
      place.copy(data, from.data);
    } else if (from.dtype == dtype && onHost()) {
      from.place.copyOut(data, from.data);
    } else if (from.dtype == dtype && from.onHost()) {
      place.copyIn(data, from.data);
    } else if (place.holds()) {
      for (long i = 0; i < n; i += CHUNK) convert(from, i, Math.min(CHUNK, n - i));
    }
  }

  /** Elements [from, from + count) of another place or type, by way of the Java heap. */
  private void convert(Tensor source, long from, long count) {
    Tensor there = source.view(from, count).toHost(), here = view(from, count);
    Tensor converted = onHost() ? here : heap(dtype, count);
    if (there.atMostFloat() && atMostFloat()) converted.copyFrom(there.toFloats());
    else for (long i = 0; i < count; i++) converted.set(i, there.get(i));
    if (!onHost()) place.copyIn(here.data, converted.data);
  }

  /** Whether a float holds every element as it is. */
  private boolean atMostFloat() {
    return dtype == DType.F32 || dtype == DType.F16 || dtype == DType.BF16;
  }

  private static Tensor heap(DType dtype, long n) {
    var bytes = MemorySegment.ofArray(new byte[Math.toIntExact(n * dtype.bytes)]);
    return new Tensor(dtype, new long[] {n}, bytes);
  }

  /** Copies Java ints into an I32 tensor of at least that length. */
  public void copyFrom(int[] values) {
    if (dtype != DType.I32) throw new IllegalStateException(dtype + " holds no ints");
    if (onHost()) MemorySegment.copy(values, 0, data, I32, 0, values.length);
    else view(0, values.length).copyFrom(of(values));
  }

  /** Copies Java longs into an I64 tensor on the host of at least that length. */
  public void copyFrom(long[] values) {
    if (dtype != DType.I64 || !onHost()) throw new IllegalStateException(this + " takes no longs");
    MemorySegment.copy(values, 0, data, I64, 0, values.length);
  }

  /** Copies Java floats into a float tensor of at least that length. */
  public void copyFrom(float[] values) {
    if (!onHost()) view(0, values.length).copyFrom(of(values));
    else if (dtype == DType.F32) MemorySegment.copy(values, 0, data, F32, 0, values.length);
    else if (atMostFloat()) MemorySegment.copy(rounded(values), 0, data, B16, 0, values.length);
    else for (int i = 0; i < values.length; i++) set(i, values[i]);
  }

  /** Copies Java doubles, rounded to this tensor's type, into a tensor of at least that length. */
  public void copyFrom(double[] values) {
    if (atMostFloat()) {
      float[] floats = new float[values.length];
      for (int i = 0; i < floats.length; i++) floats[i] = (float) values[i];
      copyFrom(floats);
    } else {
      Tensor converted = onHost() ? this : heap(dtype, values.length);
      for (int i = 0; i < values.length; i++) converted.set(i, values[i]);
      if (!onHost()) place.copyIn(view(0, values.length).data, converted.data);
    }
  }

  /** The 16 bits of each value. Loops over arrays are what the compiler makes vectors of. */
  private short[] rounded(float[] values) {
    short[] bits = new short[values.length];
    if (dtype == DType.F16)
      for (int i = 0; i < bits.length; i++) bits[i] = Float.floatToFloat16(values[i]);
    else for (int i = 0; i < bits.length; i++) bits[i] = DType.toBf16(values[i]);
    return bits;
  }

  public double[] toDoubles() {
    if (!onHost()) return toHost().toDoubles();
    double[] out = new double[Math.toIntExact(size())];
    for (int i = 0; i < out.length; i++) out[i] = get(i);
    return out;
  }

  public float[] toFloats() {
    if (!onHost()) return toHost().toFloats();
    float[] out = new float[Math.toIntExact(size())];
    if (dtype == DType.F32) {
      MemorySegment.copy(data, F32, 0, out, 0, out.length);
    } else if (atMostFloat()) {
      short[] bits = new short[out.length];
      MemorySegment.copy(data, B16, 0, bits, 0, bits.length);
      if (dtype == DType.F16)
        for (int i = 0; i < out.length; i++) out[i] = Float.float16ToFloat(bits[i]);
      else for (int i = 0; i < out.length; i++) out[i] = DType.fromBf16(bits[i]);
    } else {
      for (int i = 0; i < out.length; i++) out[i] = (float) get(i);
    }
    return out;
  }

  public int[] toInts() {
    if (!onHost()) return toHost().toInts();
    int[] out = new int[Math.toIntExact(size())];
    for (int i = 0; i < out.length; i++) out[i] = getInt(i);
    return out;
  }

  public void zero() {
    place.zero(data);
  }

  @Override
  public String toString() {
    return dtype + Arrays.toString(shape);
  }
}
