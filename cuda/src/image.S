/* The fatbin of all kernels, or nothing. */
  .section .rodata
  .balign 16
  .globl seekr_image, seekr_image_end
  .hidden seekr_image, seekr_image_end
seekr_image:
#ifdef SK_IMAGE
  .incbin SK_IMAGE
#else
  .byte 0
#endif
seekr_image_end:
  .byte 0
  .section .note.GNU-stack,"",@progbits
