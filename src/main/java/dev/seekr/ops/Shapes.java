package dev.seekr.ops;

import dev.seekr.tensor.DType;
import dev.seekr.tensor.Place;
import dev.seekr.tensor.Tensor;
import java.util.Arrays;

/**
 * Checks what a kernel is about to be given: it trusts its sizes, so a wrong one would read or
 * write somewhere else. Everything here throws IllegalArgumentException that names the operation
 * and the tensor.
 */
public final class Shapes {
  private final DType element;
  private final DType wide;
  private final Place place;

  /**
   * Checks floating tensors to be of type {@code element} or {@code wide}, as an operation asks,
   * and to lie in {@code place}.
   */
  public Shapes(DType element, DType wide, Place place) {
    this.element = element;
    this.wide = wide;
    this.place = place;
  }

  /** {@code t} is there, of the element type, and of that shape. */
  void elements(String what, Tensor t, long... shape) {
    floating(what, t, element, shape);
  }

  /** {@code t} is there, of single precision whatever the element type, and of that shape. */
  void wide(String what, Tensor t, long... shape) {
    floating(what, t, wide, shape);
  }

  /** {@code t} is there, of either of the two, and of that shape. */
  void either(String what, Tensor t, long... shape) {
    if (t != null && t.dtype() != element && t.dtype() != wide) {
      String types = element == wide ? "" + element : element + " or " + wide;
      throw new IllegalArgumentException(
          what + ": " + t + ", expected " + types + Arrays.toString(shape));
    }
    floating(what, t, t != null && t.dtype() == wide ? wide : element, shape);
  }

  /** {@code t} is there, of that type and shape, and where kernels can reach it. */
  void floating(String what, Tensor t, DType dtype, long... shape) {
    expect(what, t, dtype, shape);
    if (t.place() != place)
      throw new IllegalArgumentException(
          what + ": " + t + " lies on " + t.place() + ", expected on " + place);
  }

  /** A tensor of ints. */
  static void ints(String what, Tensor t, long... shape) {
    expect(what, t, DType.I32, shape);
  }

  /** A tensor of double results. */
  static void doubles(String what, Tensor t, long... shape) {
    expect(what, t, DType.F64, shape);
  }

  /**
   * The same number of elements and the same last dimension; a flat tensor, or one with more
   * leading dimensions, may stand for a matrix.
   */
  static void expect(String what, Tensor t, DType dtype, long... shape) {
    if (t == null)
      throw new IllegalArgumentException(
          what + ": null, expected " + dtype + Arrays.toString(shape));
    int rank = t.shape().length;
    boolean sameRows = rank <= 1 || t.dim(-1) == shape[shape.length - 1];
    if (t.dtype() != dtype || t.size() != Tensor.size(shape) || !sameRows) {
      throw new IllegalArgumentException(
          what + ": " + t + ", expected " + dtype + Arrays.toString(shape));
    }
  }

  /** Both dimensions of a matrix are looked at where nothing else tells what they should be. */
  static void matrix(String what, Tensor t) {
    if (t == null || t.shape().length != 2)
      throw new IllegalArgumentException(what + ": " + t + ", expected a matrix");
  }

  /** Every element of {@code t} is from {@code low} to {@code high} - 1. */
  static void indices(String what, Tensor t, long low, long high) {
    for (long i = 0, n = t.size(); i < n; i++) {
      int v = t.getInt(i);
      if (v < low || v >= high) {
        throw new IllegalArgumentException(
            what + "[" + i + "] is " + v + ", expected " + low + " to " + (high - 1));
      }
    }
  }

  /** Number of rows of width {@code width} in {@code t}. */
  static long rows(String what, Tensor t, long width) {
    if (t == null || width <= 0 || t.size() % width != 0) {
      throw new IllegalArgumentException(what + ": " + t + ", expected rows of " + width);
    }
    return t.size() / width;
  }

  static void heads(Ops.Heads h) {
    if (h.NH() <= 0 || h.NKV() <= 0 || h.HS() <= 0 || h.NH() % h.NKV() != 0) {
      throw new IllegalArgumentException(h + ": expected NH a positive multiple of NKV");
    }
  }
}
