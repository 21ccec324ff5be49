"""Parity of losses of signals."""

from parity_record import Parity

__all__ = ["RECORDS"]

RECORDS = [
    Parity(
        "snr_loss",
        "signals",
        "SNRLoss()(x, t)",
        "auraloss.time.SNRLoss(zero_mean=False, eps=0)(x, t)",
        "It subtracts means unless told; its eps is absolute.",
    ),
    Parity(
        "snr_loss",
        "quiet signals",
        "SNRLoss(zero_mean=True)(x, t)",
        "auraloss.time.SNRLoss()(x, t)",
        "Of quiet signals its eps of 1e-8 is a large part.",
        agree=False,
    ),
    Parity(
        "si_sdr_loss",
        "signals",
        "SISDRLoss()(x, t)",
        "auraloss.time.SISDRLoss(zero_mean=False, eps=0)(x, t)",
        "It subtracts means unless told; its eps is absolute.",
    ),
    Parity(
        "si_sdr_loss",
        "signals",
        "SISDRLoss(zero_mean=True)(x, t)",
        "auraloss.time.SISDRLoss(eps=0)(x, t)",
        "The same, with means subtracted.",
    ),
    Parity(
        "si_sdr_loss",
        "quiet signals",
        "SISDRLoss(zero_mean=True)(x, t)",
        "auraloss.time.SISDRLoss()(x, t)",
        "Of quiet signals its eps of 1e-8 is a large part.",
        agree=False,
    ),
    Parity(
        "stft_loss",
        "one signal",
        "STFTLoss()(x, t)",
        "auraloss.freq.MultiResolutionSTFTLoss()(x, t)",
        "Of several signals it has one convergence, of all together. It computes in float32.",
        tolerance=1e-5,
    ),
    Parity(
        "stft_loss",
        "one signal",
        'STFTLoss(resolutions=[(512, 128, 400)], terms={"linear": 2})(x, t)',
        "auraloss.freq.STFTLoss(512, 128, 400, w_sc=0, w_log_mag=0, w_lin_mag=2)(x, t)",
        "The weights of terms are its w_sc, w_log_mag and w_lin_mag.",
        tolerance=1e-5,
    ),
]
