"""From one speckle pattern to the bodies: where they are, how large, and if that is right."""
