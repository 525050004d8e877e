"""What a network predicts of x = signal_rate · image + noise_rate · noise: its noise, its image, or its velocity."""

OBJECTIVES = ("noise", "image", "velocity")


def target(objective: str, image, noise, signal_rate, noise_rate):
    """Return what the network shall predict.

        velocity = signal_rate · noise - noise_rate · image = dx/dφ,   signal_rate = cos φ,   noise_rate = sin φ

    Args:
        objective: one of `OBJECTIVES`.
        image: (n, ...).
        noise: (n, ...).
        signal_rate: of shape () or (n, 1, ...).
        noise_rate: likewise.

    Source: Salimans and Ho, "Progressive Distillation for Fast Sampling of Diffusion Models", 2022, section 4 and
        appendix D.
    """
    if objective == "noise":
        return noise
    if objective == "image":
        return image
    return signal_rate * noise - noise_rate * image


def split(objective: str, prediction, x, signal_rate, noise_rate):
    """Return the image and the noise, of which x is the sum, that a prediction stands for.

    Args:
        objective: one of `OBJECTIVES`.
        prediction: (n, ...).
        x: signal_rate · image + noise_rate · noise, (n, ...).
        signal_rate: above 0.
        noise_rate: above 0, with signal_rate² + noise_rate² = 1.
    """
    if objective == "noise":
        return (x - noise_rate * prediction) / signal_rate, prediction
    if objective == "image":
        return prediction, (x - signal_rate * prediction) / noise_rate
    return signal_rate * x - noise_rate * prediction, noise_rate * x + signal_rate * prediction
